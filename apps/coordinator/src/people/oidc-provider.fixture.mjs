// A real OpenID provider as a process of its own: `node oidc-provider.fixture.mjs REDIRECT_URI CLIENT_SECRET` prints its address. Whoever comes is
// signed in as who was named last: PUT /next with the claims as JSON.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [redirectUri, clientSecret] = process.argv.slice(2);
let next = {};
const accounts = new Map();
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "nexus", client_secret: clientSecret, redirect_uris: [redirectUri], token_endpoint_auth_method: "client_secret_post" }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false, // the claims stand in the ID token
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["only for tests"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => accounts.get(id) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  async function answer(request, response) {
    if (request.method === "PUT") {
      let text = "";
      for await (const chunk of request) text += chunk;
      next = JSON.parse(text);
      accounts.set(next.sub, next);
      response.end();
    } else if (request.url.startsWith("/interaction/")) {
      await provider.interactionFinished(request, response, { login: { accountId: next.sub } });
    } else callback(request, response);
  }
  server.on("request", (request, response) => void answer(request, response));
  console.log(issuer);
});
