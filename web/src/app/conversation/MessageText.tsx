import { findLinks } from "./links";

/** Text stays text: React escapes it, and only addresses of the web become links. */
export function MessageText({ text }: { readonly text: string }) {
  return (
    <div className="message-text" dir="auto">
      {findLinks(text).map((piece, index) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </div>
  );
}

export function DeletedText() {
  return (
    <div className="message-text" data-deleted="true">
      This message was deleted
    </div>
  );
}
