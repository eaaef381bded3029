// Keeps the kiosk's page alive while the server is away: the page from the server when it answers, else as it was last
// seen; its files, whose addresses change with them, from here.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const KEPT = "kiosk";
const PATIENCE_MS = 3_000;

worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== worker.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
  else if (address.pathname.startsWith("/assets/")) event.respondWith(file(event.request));
});

// The page tells which files it is made of: the first time it came without us.
worker.addEventListener("message", (event) => event.waitUntil(keep(event.data.page, event.data.files)));

/** @param {Request} request */
async function page(request) {
  const kept = await caches.open(KEPT);
  try {
    const reply = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (reply.ok) await kept.put(request, reply.clone());
    if (reply.status < 500) return reply;
  } catch {
    // The server is away.
  }
  return (await kept.match(request)) ?? Response.error();
}

/** @param {Request} request */
async function file(request) {
  const kept = await caches.open(KEPT);
  const known = await kept.match(request);
  if (known) return known;
  const reply = await fetch(request);
  if (reply.ok) await kept.put(request, reply.clone());
  return reply;
}

/** @param {string} address @param {string[]} files */
async function keep(address, files) {
  const kept = await caches.open(KEPT);
  const missing = [];
  for (const each of [address, ...files]) if (!(await kept.match(each))) missing.push(each);
  await kept.addAll(missing);
  for (const old of await kept.keys()) {
    const { pathname } = new URL(old.url);
    if (pathname.startsWith("/assets/") && !files.some((each) => new URL(each, old.url).href === old.url)) await kept.delete(old);
  }
}
