/** Statuses whose answers have no body. */
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Bounds of what is fetched: where answers may come from, and how long they may be. */
export interface FetchLimits {
  readonly baseUrl: string;
  readonly bodyBytesMax: number;
}

/**
 * Makes a `fetch` that reads the whole answer itself: one that is cut off or too long is a fault of the request, not an
 * answer that looks empty. A redirect to another server is followed by nobody's token and believed by nobody; neither is
 * one to what else is on GitHub's server beside its API.
 */
export function fetchLimited({ baseUrl, bodyBytesMax }: FetchLimits, tell: (url: string) => void): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!isOfApi(response.url, baseUrl)) throw new Error("redirected to another server");
    tell(response.url);
    const { status, headers } = response;
    if (BODILESS.has(status)) return new Response(null, { status, headers });
    return new Response(await readBody(response, bodyBytesMax), { status, headers });
  };
}

/** Whether an address is at the API's server and below its path. */
export function isOfApi(address: string, baseUrl: string): boolean {
  if (!URL.canParse(address)) return false;
  const [{ origin, pathname }, base] = [new URL(address), new URL(baseUrl)];
  return origin === base.origin && pathname.startsWith(`${base.pathname.replace(/\/+$/, "")}/`);
}

async function readBody(response: Response, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
