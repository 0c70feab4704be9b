import { useState } from "react";
import type { Keeping } from "../../sdk";
import { useClient, useStore } from "../context";
import { Icon } from "./Icon";

const SENTENCES: Record<Exclude<Keeping, "kept">, string> = {
  full: "This browser has no room left. Everything works, but what is new here, such as unsent messages, is lost when you close this page.",
  refused: "This browser lets Parlance keep nothing. Everything works, but you sign in anew after a reload, and unsent messages are lost when you close this page.",
};

/** Says what this browser does not keep, once it has refused something. */
export function StorageNotice() {
  const keeping = useStore(useClient().storage.keeping);
  const [readAs, setReadAs] = useState<Keeping>("kept");
  const shown = keeping !== "kept" && keeping !== readAs;
  return (
    <div className="banner-slot" role="status">
      {shown ? (
        <div className="banner banner-notice">
          <span>{SENTENCES[keeping]}</span>
          <button type="button" className="icon-button icon-button-small" aria-label="Understood" title="Understood" onClick={() => setReadAs(keeping)}>
            <Icon name="close" size={16} />
          </button>
        </div>
      ) : null}
    </div>
  );
}
