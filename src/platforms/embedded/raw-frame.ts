import { crc32 } from "node:zlib";
import type { RawDraft, RawMeta } from "../../model/raw-object.ts";

/**
 * A frame is one raw object in a segment of the raw log:
 *
 *     0  u32  magic "EPF1"
 *     4  u32  CRC-32 of bytes 8 to 32: lengths and count can be trusted even when the payload cannot
 *     8  u32  CRC-32 of the payload
 *    12  u32  bytes of the payload
 *    16  u32  bytes of the meta, the first part of the payload
 *    20  u32  events in the body
 *    24  f64  received time
 *    32  payload: meta as JSON, then the body as it came
 *
 * All numbers little-endian. A segment is preallocated with zeros, so a frame that was cut off by a crash ends in zeros,
 * which no JSON text does; that tells a torn write (never acknowledged) from flipped bytes (acknowledged, and now reported).
 */
export const frameHeaderBytes = 32;
const magic = 0x31465045;

export interface Frame {
  readonly meta: RawMeta;
  readonly body: Uint8Array;
}

/** Encodes into one buffer for the header and meta, and the body as it is: the body is not copied. */
export function encodeFrame({ meta, body }: RawDraft): {
  readonly head: Buffer;
  readonly body: Uint8Array;
  readonly bytes: number;
} {
  const metaJson = JSON.stringify(meta);
  const metaBytes = Buffer.byteLength(metaJson);
  const head = Buffer.allocUnsafe(frameHeaderBytes + metaBytes);
  head.write(metaJson, frameHeaderBytes);
  const payloadBytes = metaBytes + body.length;
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(crc32(body, crc32(head.subarray(frameHeaderBytes))), 8);
  head.writeUInt32LE(payloadBytes, 12);
  head.writeUInt32LE(metaBytes, 16);
  head.writeUInt32LE(meta.events, 20);
  head.writeDoubleLE(meta.receivedAt, 24);
  head.writeUInt32LE(crc32(head.subarray(8, frameHeaderBytes)), 4);
  return { head, body, bytes: frameHeaderBytes + payloadBytes };
}

/** Header of a frame whose payload was overwritten with `zeros` because it has expired: no meta, no events. */
export function erasedHeader(zeros: Buffer): Buffer {
  const head = Buffer.alloc(frameHeaderBytes);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(crc32(zeros), 8);
  head.writeUInt32LE(zeros.length, 12);
  head.writeUInt32LE(crc32(head.subarray(8, frameHeaderBytes)), 4);
  return head;
}

export interface FrameHeader {
  readonly payloadCrc: number;
  readonly payloadBytes: number;
  readonly metaBytes: number;
  readonly events: number;
  readonly receivedAt: number;
}

/** The header at `offset`, or null when there is none that can be trusted. */
export function decodeHeader(buffer: Buffer, offset: number): FrameHeader | null {
  if (offset + frameHeaderBytes > buffer.length || buffer.readUInt32LE(offset) !== magic) return null;
  if (crc32(buffer.subarray(offset + 8, offset + frameHeaderBytes)) !== buffer.readUInt32LE(offset + 4)) return null;
  return {
    payloadCrc: buffer.readUInt32LE(offset + 8),
    payloadBytes: buffer.readUInt32LE(offset + 12),
    metaBytes: buffer.readUInt32LE(offset + 16),
    events: buffer.readUInt32LE(offset + 20),
    receivedAt: buffer.readDoubleLE(offset + 24),
  };
}

/** The frame whose header was read and whose payload is `payload`; null when its checksum is wrong. Views, not copies. */
export function decodePayload(header: FrameHeader, payload: Buffer): Frame | null {
  if (crc32(payload) !== header.payloadCrc) return null;
  const meta = JSON.parse(payload.toString("utf8", 0, header.metaBytes)) as RawMeta;
  return { meta, body: payload.subarray(header.metaBytes) };
}

/** True when the payload ends in zeros, as preallocated space does and JSON never. */
export function isTorn(payload: Buffer): boolean {
  return payload.length === 0 || payload[payload.length - 1] === 0;
}

/** Offset of the next trustworthy header at or after `from`, or -1. */
export function findHeader(buffer: Buffer, from: number): number {
  for (let at = buffer.indexOf("EPF1", from, "latin1"); at >= 0; at = buffer.indexOf("EPF1", at + 1, "latin1")) {
    if (decodeHeader(buffer, at) !== null) return at;
  }
  return -1;
}
