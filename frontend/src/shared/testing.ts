// What every vitest file starts with: an IndexedDB that behaves as the browser's.
import "fake-indexeddb/auto";
