import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { moment } from "../clock.ts";
import type { Device } from "../wire.ts";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** Where the person is signed in, and how to end that. */
export function Devices() {
  const session = useSession();
  const { problem, asked } = useAsked();
  const devices = useSignal<readonly Device[]>([]);
  const load = async () => {
    const answer = await asked(session.call("devices"));
    if (answer)
      devices.value = answer.value.devices.toSorted(
        (a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt - a.lastUsedAt,
      );
  };
  useEffect(() => void load(), []);
  const revoke = async (deviceId: string) => {
    if (await asked(session.call("revokeDevice", { params: { deviceId } }))) await load();
  };
  return (
    <section>
      <h3>Devices</h3>
      <ul class="plain people" id="devices">
        {devices.value.map(({ deviceId, name, current, lastUsedAt }) => (
          <li key={deviceId}>
            <span class="who">
              <bdi>{name}</bdi>
              <small class="quiet">{current ? "this device" : `last used ${moment(lastUsedAt, Date.now())}`}</small>
            </span>
            {!current && (
              <button type="button" onClick={() => void revoke(deviceId)}>
                Sign it out<span class="unseen"> {name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
