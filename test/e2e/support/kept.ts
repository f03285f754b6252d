import type { Page } from "@playwright/test";

/** All that the browser keeps of the SDK's stores, as one text. */
export const keptText = async (page: Page): Promise<string> => JSON.stringify(await keptIn(page));

/** Keys and values of the SDK's stores in this browser. */
export const keptIn = (page: Page): Promise<[string, unknown][]> => page.evaluate(`(${readAll})()`);

/** Changes what the SDK keeps under this key, and reloads the page. `change` runs in the page. */
export async function changeKept(page: Page, key: string, change: string): Promise<void> {
  await page.evaluate(`(${changeOne})(${JSON.stringify(key)}, ${change})`);
  await page.reload();
}

/** Adds to what the SDK keeps; no page may have it open. `made` runs in the page: it is given all rows, and answers new ones. */
export const addKept = (page: Page, made: string): Promise<void> => page.evaluate(`(${addAll})(${made})`);

const OPEN = `const opened = (name) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const answer = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
const names = (await indexedDB.databases()).map(({ name }) => name);`;

const readAll = `async () => { ${OPEN}
  const all = [];
  for (const name of names) {
    const database = await opened(name);
    const store = database.transaction("kept").objectStore("kept");
    const [keys, values] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())]);
    keys.forEach((key, i) => all.push([key, values[i]]));
    database.close();
  }
  return all;
}`;

const changeOne = `async (key, change) => { ${OPEN}
  for (const name of names) {
    const database = await opened(name);
    const transaction = database.transaction("kept", "readwrite");
    const store = transaction.objectStore("kept");
    const value = await answer(store.get(key));
    if (value !== undefined) store.put(change(value), key);
    await new Promise((resolve) => { transaction.oncomplete = resolve; });
    database.close();
  }
}`;

const addAll = `async (made) => { ${OPEN}
  const rows = (await (${readAll})());
  const database = await opened(names[0]);
  const transaction = database.transaction("kept", "readwrite");
  for (const [key, value] of made(rows)) transaction.objectStore("kept").put(value, key);
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  database.close();
}`;
