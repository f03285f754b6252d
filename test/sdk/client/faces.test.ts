import { expect, test } from "vitest";
import type { Client } from "../../../src/sdk/client/api.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, live, open, PASSWORD, signUp, until } from "./support/people.ts";

const picture = (word: string) => new File([`the face of ${word}`], `${word}.jpg`, { type: "image/jpeg" });
const idOf = ({ session }: Client) => (session.is === "signed_in" ? session.userId : "");
const known = (client: Client, of: Client) => client.people.known(idOf(of))?.avatarMediaId;

/** Uploads it and shows it to the others, as the README says. */
async function show(client: Client, word: string): Promise<string> {
  const upload = await client.profile.uploadPicture(picture(word));
  const { mediaId } = await upload.done;
  await client.profile.change({ avatarMediaId: mediaId });
  return mediaId;
}

async function two() {
  const server = fakeServer();
  const [alice, bob] = [await signUp(server, "alice"), await signUp(server, "bob")];
  return { server, alice, bob };
}

test("[CL-72] a picture of one's own goes up as any file does, telling how far it is, and nobody sees it before the profile names it", async () => {
  const { alice, bob } = await two();
  const upload = await alice.profile.uploadPicture(picture("alice"));
  const seen: number[] = [];
  upload.subscribe(() => upload.state.is === "running" && seen.push(upload.state.bytes));
  const { mediaId, contentType } = await upload.done;
  expect([upload.state.is, seen, contentType]).toEqual(["done", [picture("alice").size], "image/jpeg"]);
  expect((await bob.people.get(idOf(alice))).avatarMediaId).toBeUndefined();
  await expect(bob.media.place(mediaId)).rejects.toMatchObject({ code: "not_found" });
  expect((await alice.profile.change({ avatarMediaId: mediaId })).avatarMediaId).toBe(mediaId);
  expect((await bob.people.get(idOf(alice))).avatarMediaId).toBe(mediaId);
  expect((await alice.profile.change({ avatarMediaId: null })).avatarMediaId).toBeUndefined();
  expect((await bob.people.get(idOf(alice))).avatarMediaId).toBeUndefined();
  await expect(bob.profile.change({ avatarMediaId: mediaId })).rejects.toMatchObject({ code: "invalid_request" });
});

test("[CL-72] what a profile says of a picture is kept as the name is: from a door, a contact, the person's other device, past a restart", async () => {
  const { server, alice, bob } = await two();
  const tablet = await open(server);
  await tablet.signIn({ handle: "alice", password: PASSWORD });
  await live(tablet);
  const first = await show(alice, "first");
  expect(known(alice, alice)).toBe(first); // mine, by the answer
  await until(() => known(tablet, tablet) === first); // my other device, by `self`
  expect(tablet.live.profile).toMatchObject({ displayName: "alice", avatarMediaId: first });
  const storage = memoryStorage();
  const carol = await signUp(server, "carol", { storage });
  await carol.conversations.openDirect(idOf(alice));
  await until(() => known(carol, alice) === first); // asked for, because it is shown and not known
  await carol.flush();
  await carol.close();
  const again = await open(server, { storage });
  expect(known(again, alice)).toBe(first);
  const second = await show(alice, "second");
  await bob.contacts.put(idOf(alice));
  expect([known(bob, alice), bob.contacts.list()[0]?.avatarMediaId]).toEqual([second, second]);
  const before = bob.people.known(idOf(alice));
  await bob.people.get(idOf(alice));
  expect(bob.people.known(idOf(alice))).toBe(before); // the same object until something of it changes
  await alice.profile.change({ avatarMediaId: null });
  await until(() => known(tablet, tablet) === undefined);
  await bob.people.find("alice");
  expect(known(bob, alice)).toBeUndefined();
});

test("[CL-73] where somebody's picture is: asked for anew once where what is known is old, and null where none is shown", async () => {
  const { server, alice, bob } = await two();
  expect(await bob.people.picture(idOf(alice))).toBeNull();
  await show(alice, "first");
  const place = await bob.people.picture(idOf(alice)); // though bob knew of none
  expect(await (await server.options.fetch(place?.url ?? "")).text()).toBe("the face of first");
  await show(alice, "second");
  const next = await bob.people.picture(idOf(alice));
  expect(await (await server.options.fetch(next?.url ?? "")).text()).toBe("the face of second");
  await alice.profile.change({ privacy: { picture: "contacts" } });
  expect([await bob.people.picture(idOf(alice)), known(bob, alice)]).toEqual([null, undefined]);
  await bob.contacts.put(idOf(alice));
  await alice.contacts.put(idOf(bob));
  expect(await bob.people.picture(idOf(alice))).not.toBeNull();
  await alice.blocks.put(idOf(bob));
  expect(await bob.people.picture(idOf(alice))).toBeNull();
  await expect(bob.people.picture("nobody")).rejects.toMatchObject({ code: "not_found" });
});

test("[CL-72] [CL-73] what goes wrong on the way is told, and the profile stays as it was", async () => {
  const { server } = await two();
  const carol = await signUp(server, "carol", { environment: impatient });
  server.refuseNext("newMedia", "media_too_large");
  const refused = await carol.profile.uploadPicture(picture("large"));
  await expect(refused.done).rejects.toMatchObject({ code: "media_too_large" });
  expect(refused.state).toMatchObject({ is: "failed", retryable: false });
  const mediaId = await show(carol, "carol");
  server.loseNext("changeMe");
  await expect(carol.profile.change({ avatarMediaId: null })).rejects.toMatchObject({ code: "unavailable" });
  expect((await carol.profile.load()).avatarMediaId).toBeUndefined(); // it was done, and its answer lost
  expect(known(carol, carol)).toBeUndefined();
  await expect(carol.profile.change({ avatarMediaId: mediaId })).rejects.toMatchObject({ code: "invalid_request" });
  server.loseNext("media");
  await show(carol, "again");
  await expect(carol.people.picture(idOf(carol))).rejects.toMatchObject({ code: "unavailable" });
});
