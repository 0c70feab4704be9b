import { useCallback, useId, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { isComposing } from "./enter";
import { Icon } from "./Icon";

interface DialogProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/**
 * The browser's own modal: it keeps the focus inside, closes on Escape and gives the focus back. It stands outside of the
 * part that opened it, which a narrow window may hide: a modal that is hidden still blocks the page.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const titleId = useId();
  // What is inside comes once it is open: no field in a closed dialog takes the focus.
  const [open, setOpen] = useState(false);
  const show = useCallback((dialog: HTMLDialogElement) => {
    if (!dialog.open) dialog.showModal();
    setOpen(true);
    // While the element is still there: a closed dialog gives the focus back, a removed one does not.
    return () => dialog.close();
  }, []);
  return createPortal(
    <dialog
      ref={show}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => {
        // An Escape that gives up a word is not one that gives up the dialog.
        if (event.key === "Escape" && isComposing(event.nativeEvent)) event.preventDefault();
      }}
      onMouseDown={(event) => {
        // The dialog's own box is covered by its content, so only the backdrop gets here.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {open ? children : null}
      </div>
    </dialog>,
    document.body,
  );
}
