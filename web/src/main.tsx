import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { ClientContext } from "./app/context";
import { followBrowser, ParlanceClient } from "./sdk";
import "./styles/index.css";

const client = new ParlanceClient();
followBrowser(client);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <ClientContext value={client}>
      <App />
    </ClientContext>
  </StrictMode>,
);
