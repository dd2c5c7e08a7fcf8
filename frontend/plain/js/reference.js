// @ts-check
// The API reference: Swagger UI from our own server, in the page's theme. Whoever is signed in tries calls as themselves.
const place = document.getElementById("reference");
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const chosen = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
}

/** @param {{headers: Record<string, string>}} request */
function signed(request) {
  if (place?.dataset.csrf) request.headers["X-CSRFToken"] = place.dataset.csrf;
  return request;
}

follow();
dark.addEventListener("change", follow);
if (place) {
  const { SwaggerUIBundle } = /** @type {{SwaggerUIBundle: (options: object) => unknown}} */ (/** @type {unknown} */ (window));
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.schema,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    requestInterceptor: signed,
    validatorUrl: null, // it would send our address to somebody else's server
  });
}
