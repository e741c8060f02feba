// The coordinator's own page: takes an invitation up, signs in and out, shows who one is. No framework, and texts only by `textContent`.

/** What each role may do, in words. */
const MAY = {
  owner: "runs the project",
  "data-scientist": "plans, starts and stops runs",
  "data-owner": "sees what is learnt from the project's data",
  auditor: "reads the records",
};

const element = (id) => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found;
};
const SECTIONS = ["claim", "sign-in", "account"].map(element);

/** The secret of an invitation. It leaves the address at once, so that no history and no shoulder has it. */
let { invitation, problem } = takeFragment();

function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash !== "") history.replaceState(null, "", "/");
  return { invitation: fragment.get("invitation"), problem: fragment.get("problem") };
}

/** Why the OpenID provider's answer opened no session, in words. */
const PROBLEMS = {
  SIGN_IN_FAILED: "Nobody is a member, or invited, under that identity. Ask an owner for an invitation to your address there.",
  OIDC_FAILED: "Signing in with your organisation failed. Try again from here.",
};

/** Asks the coordinator. Throws an Error with the words that it answers with. */
async function ask(path, message) {
  const options = message === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(message) };
  const response = await fetch(`/auth/${path}`, { ...options, credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
  if (response === undefined) throw new Error("The coordinator does not answer.");
  const answer = await response.json();
  if (response.ok) return answer;
  throw new Error([answer.error?.message, answer.error?.hint].filter(Boolean).join(" "));
}

function show(id) {
  for (const section of SECTIONS) section.hidden = section.id !== id;
}

function tell(id, text) {
  for (const notice of ["error", "status"]) element(notice).hidden = true;
  if (text === undefined) return;
  element(id).textContent = text;
  element(id).hidden = false;
}

/** Does something that the user asked for, and tells of it if it fails. */
async function act(button, action) {
  tell("error");
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    tell("error", error instanceof Error ? error.message : String(error));
  } finally {
    button.disabled = false;
  }
}

function onClick(button, action) {
  button.addEventListener("click", () => void act(button, action));
}

/** Sends a form; its passwords are emptied whatever comes of it. */
function onSubmit(id, action) {
  const form = element(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    void act(event.submitter ?? form, async () => {
      await action(fields);
      form.reset();
    });
  });
}

async function start() {
  if (invitation !== null) {
    try {
      const { project, role, name, email } = await ask("invitation", { secret: invitation });
      element("project").textContent = project.name;
      const about = `You are invited to the project “${project.name}” as ${role}, who ${MAY[role]}.`;
      element("claim-about").textContent = about;
      if (name) element("claim-name").value = name;
      if (email) {
        element("claim-email").value = email;
        element("claim-email").readOnly = true;
      }
      show("claim");
      element("claim-name").focus();
      return;
    } catch (error) {
      invitation = null;
      await showWho();
      tell("error", error.message);
      return;
    }
  }
  await showWho();
  if (problem !== null) tell("error", PROBLEMS[problem] ?? PROBLEMS.OIDC_FAILED);
  problem = null;
}

async function showWho() {
  const who = await ask("session");
  for (const id of ["oidc-sign-in", "oidc-link"]) element(id).hidden = !who.hasOidc;
  element("project").textContent = who.project.name;
  if (who.user === null) {
    show("sign-in");
    element("sign-in-email").focus();
    return;
  }
  element("account-name").textContent = who.user.name;
  element("account-email").textContent = who.user.email;
  element("account-role").textContent = who.role;
  element("account-may").textContent = MAY[who.role];
  await Promise.all([showSessions(), showPasskeys()]);
  show("account");
  element("account-name").focus();
}

async function showSessions() {
  const { sessions } = await ask("sessions");
  element("sessions").replaceChildren(...sessions.map(sessionRow));
}

function sessionRow({ id, current, userAgent, address, lastUsedAt }) {
  const row = document.createElement("li");
  const about = document.createElement("div");
  about.textContent = current ? "This browser" : browserName(userAgent);
  const more = document.createElement("span");
  more.className = "hint";
  more.textContent = `${address}, last used ${new Date(lastUsedAt).toLocaleString()}`;
  about.append(more);
  row.append(about);
  if (current) return row;
  const end = document.createElement("button");
  end.type = "button";
  end.className = "quiet";
  end.textContent = "End this session";
  onClick(end, async () => {
    await ask("sessions/end", { id });
    await showSessions();
    tell("status", "The session was ended.");
  });
  row.append(end);
  return row;
}

/** Whether the browser has passkeys, and takes them here: they belong to a name, never to an address. */
const hasPasskeys = "PublicKeyCredential" in globalThis && "parseCreationOptionsFromJSON" in PublicKeyCredential && /[a-z]$/.test(location.hostname);
for (const id of ["passkey-sign-in", "passkey-add"]) element(id).hidden = !hasPasskeys;

async function showPasskeys() {
  const { passkeys } = await ask("passkeys");
  element("passkeys-none").hidden = passkeys.length > 0;
  element("passkeys").replaceChildren(...passkeys.map(passkeyRow));
}

function passkeyRow({ id, rpId, createdAt, lastUsedAt }) {
  const row = document.createElement("li");
  const about = document.createElement("div");
  about.textContent = `Passkey for ${rpId}`;
  const more = document.createElement("span");
  more.className = "hint";
  const used = lastUsedAt === null ? "not used yet" : `last used ${new Date(lastUsedAt).toLocaleString()}`;
  more.textContent = `added ${new Date(createdAt).toLocaleString()}, ${used}`;
  about.append(more);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "quiet";
  remove.textContent = "Remove this passkey";
  onClick(remove, async () => {
    await ask("passkeys/remove", { id });
    await showPasskeys();
    tell("status", "The passkey was removed.");
  });
  row.append(about, remove);
  return row;
}

/** Has the person choose a passkey, or make one; undefined when the person leaves it. */
async function choosePasskey(choose) {
  try {
    return (await choose()).toJSON();
  } catch (error) {
    if (error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError")) return undefined;
    throw error;
  }
}

/** A browser's name, as well as it can be told; what it says of itself is for machines. */
function browserName(userAgent) {
  const [name] = /(Firefox|Edg|OPR|Chrome|Safari)(?=\/)/.exec(userAgent) ?? [];
  return { Edg: "Edge", OPR: "Opera" }[name] ?? name ?? "Another browser";
}

onSubmit("claim-form", async (fields) => {
  await ask("claim", { ...fields, secret: invitation });
  invitation = null;
  await showWho();
});
onSubmit("sign-in-form", async (fields) => {
  await ask("sign-in", fields);
  await showWho();
});
onSubmit("password-form", async (fields) => {
  await ask("password", fields);
  await showSessions();
  tell("status", "The password was changed; your other sessions have ended.");
});
onClick(element("passkey-add"), async () => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await ask("passkeys/options", {}));
  const response = await choosePasskey(() => navigator.credentials.create({ publicKey }));
  if (response === undefined) return;
  await ask("passkeys/add", { response });
  await showPasskeys();
  tell("status", "The passkey was added.");
});
onClick(element("passkey-sign-in"), async () => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await ask("passkey/options", {}));
  const response = await choosePasskey(() => navigator.credentials.get({ publicKey }));
  if (response === undefined) return;
  await ask("passkey/sign-in", { response });
  await showWho();
});
for (const id of ["oidc-sign-in", "oidc-link"]) {
  onClick(element(id), async () => {
    const { url } = await ask("oidc/begin", {});
    location.assign(url);
  });
}
onClick(element("sign-out"), async () => {
  await ask("sign-out", {});
  await showWho();
});
// A link that is opened while the page is shown changes the fragment alone.
addEventListener("hashchange", () => {
  ({ invitation, problem } = takeFragment());
  void start();
});

start().catch((error) => tell("error", error.message));
