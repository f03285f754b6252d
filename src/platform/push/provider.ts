import type { Endpoint } from "../../domain/push.ts";
import type { PushAnswer } from "../../domain/push-answer.ts";
import type { Push } from "../../domain/push-payload.ts";

export type EndpointOf<P extends Endpoint["provider"]> = Extract<Endpoint, { provider: P }>;

/** Carries pushes to devices. Does not throw for anything that a provider or a network does. */
export type PushProvider<P extends Endpoint["provider"]> = {
  send(endpoint: EndpointOf<P>, push: Push): Promise<PushAnswer>;
};
