export interface Mail {
  /** Becomes the Message-ID: a mail sent twice is recognised as one. 1 to 64 characters of a-z, 0-9, "_" and "-". */
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** Always there; `html` is an alternative to it. */
  readonly text: string;
  readonly html: string | null;
}

/** Sends mail, or captures it where no server is set. */
export interface Mailer {
  /** `sent`: the server took it. `captured`: kept in the outbox of this platform, readable there. Throws DELIVERY_FAILED. Line breaks in a subject or an address never become headers. */
  send(mail: Mail): Promise<"sent" | "captured">;
}
