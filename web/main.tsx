import { render } from "preact";
import { allowOwnWorker, startWorker } from "./model/install.ts";
import { begin } from "./model/screen.ts";
import { App } from "./ui/App.tsx";

allowOwnWorker();
void begin();
const page = document.getElementById("page");
if (page) render(<App />, page);
void startWorker();
