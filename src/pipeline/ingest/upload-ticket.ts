import * as z from "zod";

/** What was agreed when an upload link was made. Kept as JSON beside the raw objects until retention removes it. */
export interface UploadTicket {
  /** `upl_{yyyymmdd}_{stream}_{24 hex digits}`. */
  readonly id: string;
  readonly tenant: string;
  readonly principal: string;
  readonly stream: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string | null;
  /** End of the link, milliseconds since 1970. */
  readonly expiresAt: number;
}

const ticketSchema = z.object({
  id: z.string(),
  tenant: z.string(),
  principal: z.string(),
  stream: z.string(),
  fileName: z.string(),
  contentType: z.string(),
  bytes: z.number(),
  sha256: z.string().nullable(),
  expiresAt: z.number(),
});

/** Where an upload lies in the object store. */
export interface UploadKeys {
  /** `raw/{stream}/{yyyy}/{mm}/{dd}/{id}`: the file. */
  readonly raw: string;
  /** `uploads/{stream}/{yyyy}/{mm}/{dd}/{id}`: the ticket. */
  readonly ticket: string;
}

/** The id tells where to look, so that no index is needed. Null for what is no upload id. */
export function uploadKeys(id: string): UploadKeys | null {
  const parts = /^upl_(\d{4})(\d{2})(\d{2})_([A-Za-z0-9_-]{1,128})_[0-9a-f]{24}$/.exec(id);
  if (parts === null) return null;
  const [, year, month, day, stream] = parts;
  const place = `${stream}/${year}/${month}/${day}/${id}`;
  return { raw: `raw/${place}`, ticket: `uploads/${place}` };
}

export function uploadTicketJson(ticket: UploadTicket): Uint8Array {
  return Buffer.from(JSON.stringify(ticket));
}

/** Throws when the text is no ticket: then something else than this product wrote it. */
export function parseUploadTicket(json: Uint8Array): UploadTicket {
  return ticketSchema.parse(JSON.parse(Buffer.from(json).toString("utf8")));
}
