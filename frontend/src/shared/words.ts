// The words of an island come from the template, as {{ words|json_script:"<id>-words" }}: scripts have none of their own.

export type Words = Readonly<Record<string, string>>;

/** The JSON that json_script wrote under this id; null where the page has none. */
export function readData<T>(id: string, root: Document = document): T | null {
  const element = root.getElementById(id);
  return element?.textContent ? (JSON.parse(element.textContent) as T) : null;
}

/** The words under `<id>-words`. A word that is missing shows its key, so that a test sees it. */
export function readWords(id: string, root: Document = document): Words {
  const found = readData<Record<string, string>>(`${id}-words`, root) ?? {};
  return new Proxy(found, { get: (words, key) => words[String(key)] ?? String(key) });
}

/** `%(name)s` filled in, as gettext's own texts have it. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/%\((\w+)\)[sd]/g, (whole, name: string) => String(values[name] ?? whole));
}
