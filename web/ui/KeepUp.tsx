import { useEffect } from "preact/hooks";
import { loadAcquaintance, loadContacts } from "../model/acquaintance.ts";
import { useSession } from "./session-context.ts";

/** [AP-21] Asks for what no log tells, once the server is there and whenever it says that it has changed. */
export function KeepUp() {
  const session = useSession();
  const { told, connection } = session;
  const isConnected = connection.value.is === "connected";
  const version = told.contactsVersion.value;
  useEffect(() => {
    if (!isConnected) return;
    void loadAcquaintance(session);
    void told.catchUp();
  }, [isConnected]);
  useEffect(() => {
    if (version > 0) void loadContacts(session);
  }, [version]);
  return null;
}
