/** Whether there is address space for a decoder in WebAssembly. */

/** As every node has it; the types of a browser's have more. */
declare const WebAssembly: { readonly Memory: new (size: { readonly initial: number }) => object };

/** The decoder has no memory, whatever the data is. */
export class DecoderMemoryError extends Error {
  override readonly name = 'DecoderMemoryError';
}

/**
 * Has to be asked before a decoder is made: V8 reserves 10 GiB of address space for each memory, and what
 * fails for want of it (in node's own code for `data:` addresses, too) cannot be caught everywhere.
 * @param memories that will be made @throws DecoderMemoryError
 */
export function checkDecoderMemory(memories: number): void {
  try {
    // Held together, so that they are reserved at once.
    Array.from({ length: memories }, () => new WebAssembly.Memory({ initial: 1 }));
  } catch {
    throw new DecoderMemoryError(
      `the decoder needs ${10 * memories} GiB of address space, which ulimit -v does not leave; decompress it first`,
    );
  }
}
