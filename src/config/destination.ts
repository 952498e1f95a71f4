import { callSite } from "./call-site.ts";
import type { Text } from "./environment-reference.ts";
import type { Handle } from "./handle.ts";

export interface EmailHandle extends Handle<"email"> {
  readonly options: { readonly address: Text };
}
export interface WebhookHandle extends Handle<"webhook"> {
  readonly options: { readonly url: Text } & WebhookOptions;
}
/** Where a notification goes. */
export type DestinationHandle = EmailHandle | WebhookHandle;

export interface WebhookOptions {
  /** Secret of Standard Webhooks, `whsec_` and base64 of 24 to 64 bytes, that signs what is sent. Default: the server's own. */
  readonly secret?: Text;
}

/** A mail to this address. Without a mail server it is captured: readable in the outbox, sent nowhere. */
export function email(address: Text): EmailHandle {
  return { kind: "email", options: { address }, site: callSite(email) };
}

/** A POST to this http or https URL, signed as Standard Webhooks 1.0 describes. */
export function webhook(url: Text, options: WebhookOptions = {}): WebhookHandle {
  return { kind: "webhook", options: { ...options, url }, site: callSite(webhook) };
}
