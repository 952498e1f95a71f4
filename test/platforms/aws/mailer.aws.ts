import { mailerContract } from "../../contracts/mailer.ts";
import { mailBox } from "./mail-box.ts";

mailerContract(async () => ({ answer: "sent", ...(await mailBox()) }));
