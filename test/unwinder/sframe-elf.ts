/** The little of ELF that the SFrame tests need: take `.sframe` out of a file, or put it in one. */

/** Name, address and bytes of a section. */
export interface Section {
  address: number;
  bytes: Uint8Array;
}

/** Section `name` of a 64-bit little-endian ELF file, or undefined. */
export function elfSection(file: Buffer, name: string): Section | undefined {
  const headers = Number(file.readBigUInt64LE(0x28));
  const header = (index: number): number => headers + index * 64;
  const names = Number(file.readBigUInt64LE(header(file.readUInt16LE(0x3e)) + 0x18));
  for (let i = 0; i < file.readUInt16LE(0x3c); i++) {
    const at = names + file.readUInt32LE(header(i));
    if (file.toString('latin1', at, file.indexOf(0, at)) !== name) continue;
    const offset = Number(file.readBigUInt64LE(header(i) + 0x18));
    const size = Number(file.readBigUInt64LE(header(i) + 0x20));
    const address = Number(file.readBigInt64LE(header(i) + 0x10));
    return { address, bytes: new Uint8Array(file.subarray(offset, offset + size)) };
  }
  return undefined;
}

/** An AArch64 ELF file with nothing but the section `.sframe` in it, for readelf. */
export function elfAround(sframe: Section): Buffer {
  const names = '\0.sframe\0.shstrtab\0';
  const bytesAt = 64;
  const namesAt = bytesAt + sframe.bytes.length;
  const headersAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const file = Buffer.alloc(headersAt + 3 * 64);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(2, 0x10); // ET_EXEC
  file.writeUInt16LE(183, 0x12); // EM_AARCH64
  file.writeUInt32LE(1, 0x14);
  file.writeBigUInt64LE(BigInt(headersAt), 0x28);
  file.writeUInt16LE(64, 0x34);
  file.writeUInt16LE(64, 0x3a);
  file.writeUInt16LE(3, 0x3c);
  file.writeUInt16LE(2, 0x3e);
  file.set(sframe.bytes, bytesAt);
  file.write(names, namesAt, 'latin1');
  const header = (i: number, name: number, type: number, at: number, size: number): void => {
    const base = headersAt + i * 64;
    file.writeUInt32LE(name, base);
    file.writeUInt32LE(type, base + 4);
    file.writeBigUInt64LE(BigInt(at), base + 0x18);
    file.writeBigUInt64LE(BigInt(size), base + 0x20);
    file.writeBigUInt64LE(1n, base + 0x30);
  };
  header(1, 1, 0x6ffffff4, bytesAt, sframe.bytes.length); // SHT_GNU_SFRAME
  file.writeBigUInt64LE(2n, headersAt + 64 + 8); // SHF_ALLOC
  file.writeBigInt64LE(BigInt(sframe.address), headersAt + 64 + 0x10);
  header(2, names.indexOf('.shstrtab'), 3, namesAt, names.length); // SHT_STRTAB
  return file;
}
