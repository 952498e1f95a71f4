/** Where the API has one failure. */
export function failurePath(id: string): string {
  return `/v1/failures/${encodeURIComponent(id)}`;
}
