import { screen } from "../model/screen.ts";
import { Chat } from "./Chat.tsx";
import { SignIn } from "./SignIn.tsx";
import { SessionContext } from "./session-context.ts";

export function App() {
  const shown = screen.value;
  if (shown.is === "sign-in") return <SignIn />;
  if (shown.is === "nothing") return null;
  return (
    <SessionContext.Provider value={shown.session}>
      <Chat />
    </SessionContext.Provider>
  );
}
