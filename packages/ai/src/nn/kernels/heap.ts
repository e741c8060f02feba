/** First address behind the static data of the module: the memory plan of a network starts here. */
export function heapBase(): usize {
  return __heap_base;
}
