import type { ReceiveMessageCommandOutput, SQSClient } from "@aws-sdk/client-sqs";

/**
 * Makes a client of the emulator keep to SQS's rule for receipts, which the emulator does not: it takes each receipt that a
 * message ever had. SQS takes the latest: with another one `DeleteMessage` "succeeds, but the message will not be deleted",
 * and `ChangeMessageVisibility` fails with InvalidParameterValue (Amazon SQS API Reference).
 */
export function onlyLatestReceipts(client: SQSClient): void {
  const messages = new Map<string, string>();
  const latest = new Map<string, string>();
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { ReceiptHandle: receipt = "" } = args.input as { ReceiptHandle?: string };
        const message = messages.get(receipt);
        if (message !== undefined && latest.get(message) !== receipt) {
          if (commandName === "DeleteMessageCommand") return { output: { $metadata: {} }, response: {} };
          throw Object.assign(
            new Error(
              `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
            ),
            { name: "InvalidParameterValue" },
          );
        }
        const result = await next(args);
        if (commandName !== "ReceiveMessageCommand") return result;
        for (const { MessageId: id = "", ReceiptHandle: handle = "" } of (result.output as ReceiveMessageCommandOutput)
          .Messages ?? []) {
          messages.set(handle, id);
          latest.set(id, handle);
        }
        return result;
      },
    { step: "initialize" },
  );
}
