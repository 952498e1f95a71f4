import { timingSafeEqual } from "node:crypto";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createApp } from "../../../http/create-app.ts";
import { respondProblem } from "../../../http/problem.ts";
import type { Services } from "../../../http/services.ts";
import { sdkOptions } from "../sdk-options.ts";
import { type StageSecrets, stageSecrets } from "../secrets.ts";
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
  const secrets = openSecrets(stage);
  const noteContracts = recordContracts(stage);
  const http: HttpStage = { stage, isKey: () => false, baseUrl: "" };
  const services = httpServices(http);
  const app = createApp(services);
  return (event: GatewayEvent, { awsRequestId }: LambdaContext): Promise<GatewayResult> =>
    stage.telemetry.during(awsRequestId, async () => {
      const { key } = await secrets();
      await noteContracts();
      http.isKey = (token) => sameText(token, key);
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
    return await answerLive(request, response, services);
  } catch (error) {
    const requestId = response.headers.get("x-request-id") ?? "";
    return respondProblem({ services, requestId }, error, new URL(request.url).pathname);
  }
}

function openSecrets({ telemetry }: Stage): () => Promise<StageSecrets> {
  const client = telemetry.traced(new SecretsManagerClient(sdkOptions()));
  let secrets: Promise<StageSecrets> | null = null;
  return () => {
    secrets ??= stageSecrets(client, required("secretArn")).catch((error: unknown) => {
      secrets = null;
      throw error;
    });
    return secrets;
  };
}

/** Takes as long for a key that is nearly right. */
function sameText(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
