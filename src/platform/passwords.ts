import Argon2 from "@phi-ag/argon2";
import wasm from "@phi-ag/argon2/argon2.wasm";

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane (Password Storage Cheat Sheet). */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Stands in where there is no hash to compare with; of the same cost as real ones. Nobody knows its password. */
const NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$KmKa7HkW9U6GAUQDlQlFuw$7SNDnVpOOuZUj+y9ettzACGsycziWPVKGaCJIgalxOE";

let loaded: Argon2 | undefined;
/** One instance an isolate: its memory (about 20 MiB) is never given back. */
const argon2 = async (): Promise<Argon2> => (loaded ??= new Argon2(await WebAssembly.instantiate(wasm)));

/**
 * The same letters typed on two keyboards are the same password (RFC 8265), so NFC. The library hashes as many UTF-8 bytes as the
 * string has UTF-16 units, which cuts a password in Greek to half; padding makes the two numbers equal, and the padding itself is
 * not hashed. A test compares with an independent argon2id.
 */
function padded(password: string): string {
  const text = password.normalize("NFC");
  return text + "\0".repeat(new TextEncoder().encode(text).length - text.length);
}

/** Argon2id with a fresh salt, as a PHC string. About 50 ms of CPU. */
export async function hashPassword(password: string): Promise<string> {
  return (await argon2()).hash(padded(password), COST).encoded; // [AC-14]
}

/** Whether the password made this PHC string. Without one it is false, after the same work. */
export async function verifyPassword(password: string, phc: string | null | undefined): Promise<boolean> {
  const { success } = (await argon2()).tryVerify(phc ?? NOBODY, padded(password)); // [AC-15]
  return success && phc != null;
}
