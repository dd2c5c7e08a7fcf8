// The words that catalog/cut_words.py gives; a key that it lacks fails tests/catalog/test_words_of_the_mask_editor.py.
import { fill, readWords, type Words } from "../../shared/words";

export const words: Words = readWords("mask");

export function say(key: string, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(words[key] ?? key, values);
}
