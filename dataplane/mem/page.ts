// Memory that begins on a page, so that a row or a packet of 64 bytes lies in one cache line. What `new ArrayBuffer` gives begins 16 bytes
// behind one (malloc), and each row lies in two: a table larger than the caches then costs twice as many misses. Measured: bench/README.md.
// A WebAssembly.Memory is the page-aligned memory that JavaScript has; nothing of WebAssembly runs.

/** TypeScript declares it for browsers alone. */
declare const WebAssembly: {
  Memory: new (of: { initial: number; maximum: number; shared: boolean }) => { buffer: ArrayBuffer | SharedArrayBuffer };
};

const WasmPage = 65536;

function allocate(bytes: number, shared: boolean): ArrayBuffer | SharedArrayBuffer | null {
  const pages = Math.ceil(bytes / WasmPage);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared }).buffer;
  } catch {
    return null; // each takes 10 GiB of addresses, which a limit of the process may forbid (ulimit -v)
  }
}

/** @returns zeroes, `bytes` of them at least; on a page unless addresses are limited */
export function allocatePages(bytes: number): ArrayBuffer {
  return (allocate(bytes, false) as ArrayBuffer | null) ?? new ArrayBuffer(bytes);
}

/** The same for several threads. */
export function allocateSharedPages(bytes: number): SharedArrayBuffer {
  return (allocate(bytes, true) as SharedArrayBuffer | null) ?? new SharedArrayBuffer(bytes);
}
