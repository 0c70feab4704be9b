import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { ClientContext } from "./app/context";
import { Failsafe } from "./app/Failsafe";
import { guardEnter } from "./app/ui/enter";
import { followBrowser, ParlanceClient } from "./sdk";
import "./styles/index.css";

const client = new ParlanceClient();
followBrowser(client);
guardEnter(window);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Failsafe>
      <ClientContext value={client}>
        <App />
      </ClientContext>
    </Failsafe>
  </StrictMode>,
);
