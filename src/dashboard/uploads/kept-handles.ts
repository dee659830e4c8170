import { type ChosenFile, filesOfHandle, isEmptyFolder } from './dropped-files.js'
import { handleOf } from './handle-of-file.js'

declare global {
  interface FileSystemHandle {
    /** Missing where no permission is needed. */
    requestPermission?(wanted: { mode: 'read' }): Promise<PermissionState>
  }
}

interface KeptHandles {
  /** That of the upload's job. */
  id: string
  account: string
  handles: FileSystemHandle[]
}

/**
 * Keeps, across a crash of the browser, from where the files of an upload can be read again; nothing if one of them has no
 * handle. `unfinished`: the ids of the account's uploads whose handles are still needed.
 */
export async function keepHandles(
  upload: { id: string; account: string; files: readonly ChosenFile[] },
  unfinished: readonly string[],
): Promise<void> {
  const { id, account, files } = upload
  const found = files.filter((chosen) => !isEmptyFolder(chosen)).map(({ file }) => handleOf(file))
  const handles = found.filter((handle) => handle !== undefined)
  if (handles.length === 0 || handles.length < found.length) return
  const store = await openStore('readwrite')
  // Not the handles: the browser opens each that is read.
  for (const known of await ended(store.index('account').getAllKeys(account))) {
    if (!unfinished.includes(String(known))) store.delete(known)
  }
  await ended(store.put({ id, account, handles: [...new Set(handles)] } satisfies KeptHandles))
}

/** undefined if none were kept. */
export async function keptHandles(id: string): Promise<FileSystemHandle[] | undefined> {
  const kept = (await ended((await openStore('readonly')).get(id))) as KeptHandles | undefined
  return kept?.handles
}

export async function forgetHandles(id: string): Promise<void> {
  await ended((await openStore('readwrite')).delete(id))
}

/** Reads the files again. Call it at a click: the browser may ask the person. Throws if they say no, and if something is gone. */
export async function filesOfHandles(handles: readonly FileSystemHandle[]): Promise<ChosenFile[]> {
  for (const handle of handles) {
    const permission = await handle.requestPermission?.({ mode: 'read' })
    if (permission === 'denied' || permission === 'prompt') throw new DOMException('', 'NotAllowedError')
  }
  return (await Promise.all(handles.map((handle) => filesOfHandle(handle)))).flat()
}

async function openStore(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const request = indexedDB.open('filejobs-handles', 2)
  request.onupgradeneeded = () => {
    const { result: database } = request
    if (database.objectStoreNames.contains(storeName)) database.deleteObjectStore(storeName)
    database.createObjectStore(storeName, { keyPath: 'id' }).createIndex('account', 'account')
  }
  const database = await ended(request)
  const transaction = database.transaction(storeName, mode)
  transaction.oncomplete = () => database.close()
  return transaction.objectStore(storeName)
}

function ended<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

const storeName = 'uploads'
