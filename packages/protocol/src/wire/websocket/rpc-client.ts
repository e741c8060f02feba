/**
 * Calls by the Connect protocol over exchanges: one message there, one back.
 *
 * Source: connectrpc.com/docs/protocol, "Unary-Request" and "Unary-Response".
 *
 * @module
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { codeFromHttpStatus, errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { OpenExchange } from "../exchange.ts";
import { linkSignals } from "../rpc-channel.ts";
import { wholeBody } from "../whole-body.ts";

const MESSAGE = { "content-type": "application/proto", "connect-protocol-version": "1" };

/** What clients of services are given to call with. Messages go whole: a server need not keep a call open for the rest of one. */
export function exchangeRpc(open: OpenExchange): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input) {
      const content = toBinary(method.input, create(method.input, input));
      const hasDeadline = timeoutMs !== undefined && timeoutMs > 0;
      const late = new AbortController();
      const deadline = hasDeadline ? setTimeout(() => late.abort(timedOut()), timeoutMs) : undefined;
      const call = linkSignals(signal, late.signal);
      try {
        const exchange = open({
          ...{ method: "POST", path: createMethodUrl("/", method), signal: call.signal, content },
          headers: { ...Object.fromEntries(new Headers(header)), ...MESSAGE, ...(hasDeadline && { "connect-timeout-ms": String(timeoutMs) }) },
        });
        exchange.end(content);
        const { status, headers, body } = await exchange.answer;
        const bytes = await wholeBody(body);
        const fields = new Headers();
        for (const [name, value] of Object.entries(headers)) if (value !== undefined) fields.set(name, value);
        if (status !== 200) throw errorFromJsonBytes(bytes, fields, new ConnectError(`HTTP ${status}`, codeFromHttpStatus(status)));
        const message = fromBinary(method.output, bytes);
        return { stream: false, service: method.parent, method, header: fields, message, trailer: new Headers() };
      } finally {
        clearTimeout(deadline);
        call.unlink();
      }
    },
    async stream(method) {
      throw new ConnectError(`${method.name} is a stream; a WebSocket carries single calls.`, Code.Unimplemented);
    },
  };
}

function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
