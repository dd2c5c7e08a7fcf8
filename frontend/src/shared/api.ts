// Same-origin requests in the house's shapes. The session travels as a cookie; the CSRF cookie is HttpOnly, so the token comes
// from the page: every page of a signed-in person has forms with it.

/** What the server said no with, and what went wrong on the way: one class, so that a caller has one catch. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** Stable and snake_case; `offline` where no answer came, `unreadable` for a proxy's own page. */
    readonly code: string,
    message: string,
    /** 0 where no answer came. */
    readonly status: number,
    readonly retryable: boolean,
    readonly field: string = "",
    readonly requestId: string = "",
  ) {
    super(message);
  }
}

export type Fields = Record<string, string | Blob>;

/** The body of a refusal (imodel_site/lib/errors.py). */
interface Refusal {
  code: string;
  message: string;
  field?: string | null;
  retryable?: boolean;
  request_id?: string;
}

/** The page's CSRF token; empty where no form carries one. */
export function csrfToken(root: ParentNode = document): string {
  const place = root.querySelector<HTMLElement>("[data-csrf]");
  const field = root.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return place?.dataset.csrf || field?.value || "";
}

/** GET an address of ours as JSON. */
export async function getJson<T>(signal: AbortSignal | null, url: string): Promise<T> {
  return readJson<T>(await send(signal, url, { headers: { Accept: "application/json" }, cache: "no-store" }));
}

/** POST a form, files included, and read the JSON that answers. */
export async function postForm<T>(signal: AbortSignal | null, url: string, fields: Fields): Promise<T> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return readJson<T>(await send(signal, url, { method: "POST", headers: writing(), body }));
}

/** POST JSON and read the JSON that answers. */
export async function postJson<T>(signal: AbortSignal | null, url: string, value: unknown): Promise<T> {
  const headers = { ...writing(), "Content-Type": "application/json" };
  return readJson<T>(await send(signal, url, { method: "POST", headers, body: JSON.stringify(value) }));
}

/** The answer to any request of ours, or an ApiError; AbortError passes through. */
export async function send(signal: AbortSignal | null, url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...init, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("offline", String(error), 0, true);
  }
  if (answer.ok) return answer;
  throw await refusalOf(answer);
}

/** The headers of whatever changes something. */
export function writing(): Record<string, string> {
  return { Accept: "application/json", "X-Requested-With": "XMLHttpRequest", "X-CSRFToken": csrfToken() };
}

async function readJson<T>(answer: Response): Promise<T> {
  try {
    return (await answer.json()) as T;
  } catch (error) {
    throw new ApiError("unreadable", String(error), answer.status, true);
  }
}

async function refusalOf(answer: Response): Promise<ApiError> {
  const said = await answer.json().catch(() => null);
  const refusal = isRefused(said) ? said.error : null;
  if (!refusal) return new ApiError("unreadable", answer.statusText, answer.status, answer.status >= 500);
  const { code, message, field, retryable, request_id } = refusal;
  return new ApiError(code, message, answer.status, retryable ?? answer.status >= 500, field ?? "", request_id ?? "");
}

function isRefused(value: unknown): value is { error: Refusal } {
  const error = value && typeof value === "object" && "error" in value ? value.error : null;
  return Boolean(error && typeof error === "object" && "code" in error && "message" in error);
}
