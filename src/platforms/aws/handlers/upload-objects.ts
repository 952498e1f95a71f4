import type { Services } from "../../../http/services.ts";
import { uploadFileName, uploadMetadata } from "../../../pipeline/ingest/upload-metadata.ts";
import type { StageObjects } from "./stage.ts";

/**
 * The bucket as the HTTP app sees it. S3 takes files of upload links itself, without metadata: what was found out about a
 * file when it was read stands in for it. A link is noted as pending, so that the sweep finds a file whose event got lost.
 */
export function linkedObjects({ objects, raw, pending }: StageObjects): Services["objects"] {
  return {
    put: objects.put,
    get: objects.get,
    async head(key) {
      const object = await objects.head(key);
      if (object === null || !/^raw\/.*\/upl_[^/]+$/.test(key)) return object;
      const meta = await raw.adopted(key);
      return meta === null ? object : { ...object, metadata: uploadMetadata(meta, uploadFileName(meta) ?? "", "") };
    },
    async uploadLink(key, request) {
      const [, stream = ""] = key.split("/");
      await pending.add(key, { tenant: request.tenant, stream, door: "upload", events: 0, receivedAt: Date.now() });
      return objects.uploadLink(key, request);
    },
  };
}
