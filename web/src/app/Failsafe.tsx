import { Component, type ReactNode } from "react";

/** A fault of ours in drawing the page: says so, where React alone would leave the page blank. */
export class Failsafe extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="placeholder failsafe" role="alert">
        <h2>Something went wrong on this page</h2>
        <p className="muted">Your messages are safe. Load the page again to go on.</p>
        <button type="button" className="button button-primary" onClick={() => location.reload()}>
          Load again
        </button>
      </div>
    );
  }
}
