/** Compressed files, good ones and bombs, made without a compressor. */
import { crc32 } from 'node:zlib';

/** Largest stored LZMA2 chunk and raw zstd block that is used, in bytes. */
const STORED = 1 << 16;

/** An .xz file (format 1.2.0) of stored chunks and, after them, of `zeros` times almost 2 MiB of zeroes. */
export function xzFile(bytes: Uint8Array, zeros = 0): Buffer {
  const flags = Buffer.alloc(2);
  // One filter, LZMA2, with a dictionary of 64 KiB (section 5.3.1).
  const block = withCrc(Buffer.of(2, 0, 0x21, 1, 8, 0, 0, 0));
  const chunks: Uint8Array[] = pieces(bytes, STORED).map((piece, i) => {
    const header = Buffer.of(i === 0 ? 1 : 2, 0, 0);
    header.writeUInt16BE(piece.length - 1, 1);
    return Buffer.concat([header, piece]);
  });
  for (let i = 0; i < zeros; i++) chunks.push(ZEROS);
  const data = Buffer.concat([...chunks, Buffer.alloc(1)]);
  const size = bytes.length + zeros * ZEROS_SIZE;
  const record = Buffer.concat([vli(block.length + data.length), vli(size)]);
  const index = withCrc(padded(Buffer.concat([Buffer.of(0, 1), record])));
  const backward = Buffer.alloc(6);
  backward.writeUInt32LE(index.length / 4 - 1, 0);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(backward));
  return Buffer.concat([
    Buffer.from('\xfd7zXZ\0', 'latin1'),
    withCrc(flags),
    block,
    padded(data),
    index,
    sum,
    backward,
    Buffer.from('YZ'),
  ]);
}

/** A zstd frame (RFC 8878) of raw blocks and, after them, of `zeros` times 128 KiB of zeroes. */
export function zstdFile(bytes: Uint8Array, zeros = 0): Buffer {
  const raw = pieces(bytes, STORED);
  const parts: Uint8Array[] = [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x58)];
  for (const [i, piece] of raw.entries()) {
    const isLast = zeros === 0 && i === raw.length - 1;
    parts.push(blockHeader(isLast, 0, piece.length), Buffer.from(piece));
  }
  for (let i = 0; i < zeros; i++) {
    parts.push(blockHeader(i === zeros - 1, 1, 1 << 17), Buffer.alloc(1));
  }
  return Buffer.concat(parts);
}

/** @param type 0 raw, 1 one byte that is repeated */
function blockHeader(isLast: boolean, type: number, size: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(isLast), 0, 3);
  return header;
}

/** ZEROS_SIZE zeroes as one LZMA2 chunk that depends on nothing before it. */
const ZEROS = Buffer.from(
  [
    '//8RAWxdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/',
    'i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6n',
    'I1/sKMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvu',
    'l2rFnk5VsFCPnH2q38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvS5fqg8+S2ZCkBMO/xCT+HF4WfgLzf+VKEYP',
    'qfx83vuaMC5WwI+F84OBwGXEJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q',
    '38+1IrdM0eWyBC+d1TPfgpZAk7gMsqbN+1O/DEvEgn5lg=',
  ].join(''),
  'base64',
);
const ZEROS_SIZE = 2_096_914;

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function withCrc(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, sum]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

/** A number of 7 bits a byte (section 1.2). */
function vli(value: number): Buffer {
  const out: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    out.push((left % 128) | (left >= 128 ? 0x80 : 0));
    if (left < 128) return Buffer.from(out);
  }
}
