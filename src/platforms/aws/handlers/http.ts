import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { bearerPrincipal } from "../../../http/bearer-principal.ts";
import { createApp } from "../../../http/create-app.ts";
import { principalByKey } from "../../../http/principal-by-key.ts";
import { respondProblem } from "../../../http/problem.ts";
import type { Services } from "../../../http/services.ts";
import { EventPulseError } from "../../../model/error.ts";
import { sdkOptions } from "../sdk-options.ts";
import { stageSecrets } from "../secrets.ts";
import { required } from "./environment.ts";
import {
  type GatewayEvent,
  type GatewayResult,
  gatewayEnvironment,
  gatewayRequest,
  gatewayResult,
} from "./gateway-request.ts";
import { type HttpStage, httpServices } from "./http-services.ts";
import type { LambdaBundle, LambdaContext } from "./lambda-bundle.ts";
import { answerLive } from "./live-answer.ts";
import { openStage, recordContracts, type Stage } from "./stage.ts";

/** Answers the HTTP API behind API Gateway. */
export function lambdaHandler(bundle: LambdaBundle) {
  const stage = openStage(bundle);
  const keys = openKeys(stage);
  const noteContracts = recordContracts(stage);
  const http: HttpStage = { stage, principalOf: () => null, baseUrl: "" };
  const services = httpServices(http);
  const app = createApp(services);
  return (event: GatewayEvent, { awsRequestId }: LambdaContext): Promise<GatewayResult> =>
    stage.telemetry.during(awsRequestId, async () => {
      http.principalOf = await keys();
      await noteContracts();
      const abort = new AbortController();
      const request = gatewayRequest(event, abort.signal);
      http.baseUrl = new URL(request.url).origin;
      const response = await app.fetch(request, gatewayEnvironment(event));
      const isLive = response.headers.get("content-type") === "text/event-stream";
      if (!isLive) return gatewayResult(response, request);
      abort.abort();
      return gatewayResult(await live(request, response, services), request);
    });
}

/** As everywhere, what fails is answered as a problem. */
async function live(request: Request, response: Response, services: Services): Promise<Response> {
  try {
    return await answerLive(request, response, bearerPrincipal(services, request).tenant, services);
  } catch (error) {
    const requestId = response.headers.get("x-request-id") ?? "";
    return respondProblem({ services, requestId }, error, new URL(request.url).pathname);
  }
}

/** Who holds which key, read once in the life of a function. Throws SETTING_INVALID. */
function openKeys({ telemetry, tenants }: Stage): () => Promise<HttpStage["principalOf"]> {
  const client = telemetry.traced(new SecretsManagerClient(sdkOptions()));
  const read = async () => {
    const { key, tenantKeys } = await stageSecrets(client, required("secretArn"));
    const named = [...tenantKeys].filter(([tenant]) => tenants.includes(tenant));
    for (const tenant of tenantKeys.keys()) if (!tenants.includes(tenant)) refuse(tenant);
    return principalByKey(key, new Map(named));
  };
  // Who puts a key there before the tenant is named must not take the API away from all others.
  const refuse = (tenant: string) => {
    const message = `The key of "${tenant}" in the secret lets nobody in: add the tenant to "tenants" of the stage and apply.`;
    telemetry.error("A tenant has a key and no name.", new EventPulseError("SETTING_INVALID", message));
  };
  let keys: ReturnType<typeof read> | null = null;
  return () => {
    keys ??= read().catch((error: unknown) => {
      keys = null;
      throw error;
    });
    return keys;
  };
}
