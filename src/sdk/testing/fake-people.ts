import type { DeviceId, UserId } from "../../protocol/ids.ts";
import type { Device, Me, TokenPair } from "../client/wire.ts";

export type FakeDevice = {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  name: string;
  createdAt: number;
  /** Counts refreshes: a refresh token of an earlier one signs the device out. */
  generation: number;
  /** The key of the last refresh. */
  renewedBy?: string | undefined;
  /** Access tokens before this one are good no more. */
  accessFrom: number;
};
export type FakePerson = Me & { readonly userId: UserId; readonly password: string };

const ACCESS_LIFE_MS = 3_600_000;

/** Who there is, on which devices, and what their tokens say. Ids and tokens are readable. */
export class FakePeople {
  readonly people = new Map<UserId, FakePerson>();
  readonly devices = new Map<DeviceId, FakeDevice>();
  /** `[from, to]`: who asked whom to be a contact. */
  readonly asked = new Set<string>();
  readonly blocked = new Set<string>();
  /** Handles that nobody gets again. */
  readonly spent = new Set<string>();
  /** Devices of those who were erased. */
  readonly #erased = new Set<string>();
  /** Rises with every change of contacts. */
  contactsVersion = 1;
  #count = 0;

  /** As an id of the wire looks. */
  newId(): string {
    this.#count += 1;
    return String(this.#count).padStart(26, "0");
  }

  byHandle(handle: string): FakePerson | undefined {
    return [...this.people.values()].find((person) => person.handle === handle.toLowerCase());
  }

  add(handle: string, password: string, displayName: string, now: number): FakePerson {
    const userId = this.newId() as UserId;
    const everyone = "everyone" as const;
    const privacy = {
      lastSeen: everyone,
      readReceipts: everyone,
      conversations: everyone,
      findable: everyone,
      picture: everyone,
    };
    const person = { userId, handle: handle.toLowerCase(), displayName, privacy, createdAt: now, password };
    this.people.set(userId, person);
    return person;
  }

  enter(userId: UserId, name: string, id: string | undefined, now: number): FakeDevice {
    const known = this.devices.get((id ?? "") as DeviceId);
    if (known?.userId === userId)
      return Object.assign(known, { name, generation: known.generation + 1, renewedBy: undefined });
    const deviceId = this.newId() as DeviceId;
    const device = { deviceId, userId, name, createdAt: now, generation: 0, accessFrom: 0 };
    this.devices.set(deviceId, device);
    return device;
  }

  tokens({ deviceId, generation }: FakeDevice, now: number): TokenPair {
    const accessToken = `access.${deviceId}.${generation}`;
    return { accessToken, accessExpiresAt: now + ACCESS_LIFE_MS, refreshToken: `refresh.${deviceId}.${generation}` };
  }

  /** Whose token this is. */
  whose(token: string): { device: FakeDevice; generation: number; kind: string } | null {
    const [kind = "", deviceId = "", generation = "0"] = token.split(".");
    const device = this.devices.get(deviceId as DeviceId);
    return device ? { device, generation: Number(generation), kind } : null;
  }

  /** Whether a picture of this person is shown to the other one. */
  showsPicture({ userId, privacy }: FakePerson, viewerId: UserId): boolean {
    if (userId === viewerId) return true;
    const areContacts = this.asked.has(`${userId} ${viewerId}`) && this.asked.has(`${viewerId} ${userId}`);
    if (this.blocked.has(`${userId} ${viewerId}`)) return false;
    return privacy.picture === "everyone" || (privacy.picture === "contacts" && areContacts);
  }

  /** Answers the devices, which are to be ended. */
  erase(userId: UserId): DeviceId[] {
    const devices = [...this.devices.values()].filter((device) => device.userId === userId);
    this.spent.add(this.people.get(userId)?.handle ?? "");
    this.people.delete(userId);
    for (const of of [this.asked, this.blocked])
      for (const pair of of) if (pair.split(" ").includes(userId)) of.delete(pair);
    for (const { deviceId } of devices) this.#erased.add(deviceId);
    return devices.map(({ deviceId }) => deviceId);
  }

  /** Whether this was a token of somebody who was erased. */
  isOfErased = (token: string): boolean => this.#erased.has(token.split(".")[1] ?? "");

  describe({ deviceId, name, createdAt }: FakeDevice, current: boolean): Device {
    return { deviceId, name, createdAt, lastUsedAt: createdAt, current };
  }
}
