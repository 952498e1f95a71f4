/** What a signed link lets its holder do: put exactly this object, once or more, until it expires. */
export interface UploadLinkRequest {
  readonly contentType: string;
  /** Exact length of the body in bytes. */
  readonly bytes: number;
  /** Hex SHA-256 of the body, or null when the client did not give one. */
  readonly sha256: string | null;
  readonly expiresAt: number;
}
export interface UploadLink {
  readonly method: "PUT";
  readonly url: string;
  /** Headers that the holder must send as they are. */
  readonly headers: Readonly<Record<string, string>>;
}
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly storedAt: number;
}
export interface StoredObject extends ListedObject {
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Immutable bytes by key. Keys: 1 to 512 bytes of UTF-8, "/" between parts, no empty, "." or ".." part, no NUL; else every
 * method throws OBJECT_KEY_INVALID. Metadata: up to 2 KB of text by lower-case names, more throws OBJECT_TOO_LARGE.
 */
export interface ObjectStore {
  /** Stores `body` under `key`, durable when it resolves. Storing a key twice, also at the same time, keeps the first body and metadata. */
  put(key: string, body: Uint8Array, metadata?: Readonly<Record<string, string>>): Promise<"created" | "exists">;
  /** The body, or null when no object has this key. */
  get(key: string): Promise<Uint8Array | null>;
  /** What is known of the object, or null. */
  head(key: string): Promise<StoredObject | null>;
  /** Yields objects whose key starts with `prefix`, ascending by UTF-8 bytes (S3's order), fetched one page at a time. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Removes the object; removing what is not there is no error. */
  delete(key: string): Promise<void>;
  /** A link that lets its holder put this one object, with this type, length and checksum, until it expires. */
  uploadLink(key: string, request: UploadLinkRequest): Promise<UploadLink>;
}
