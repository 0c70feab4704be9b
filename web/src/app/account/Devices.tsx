import type { OwnDevice } from "../../sdk";
import { useChat } from "../context";
import { briefly, fullTime } from "../times";
import { TaskError } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useLoaded } from "../ui/useLoaded";
import { useTask } from "../ui/useTask";

/** Where one is signed in, this device first. */
export function Devices() {
  const { api } = useChat();
  const task = useTask();
  const { value, problem, load } = useLoaded(api.devices);
  const devices = value?.toSorted((a, b) => Number(b.current) - Number(a.current)) ?? null;
  const signOut = (device: OwnDevice) =>
    task.run(async () => {
      await api.signDeviceOut(device.id);
      await load();
    });
  return (
    <section aria-label="Your devices">
      <header className="section-head">
        <h3>Your devices{devices === null ? "" : ` (${devices.length})`}</h3>
      </header>
      <TaskError task={task} />
      {problem === null ? null : (
        <p className="form-error" role="alert">
          {problem}{" "}
          <button type="button" className="link-button" onClick={() => void load()}>
            Try again
          </button>
        </p>
      )}
      {devices === null && problem === null ? <p className="muted">Loading…</p> : null}
      <ul className="devices">
        {devices?.map((device) => (
          <Device key={device.id} device={device} busy={task.busy} onSignOut={() => void signOut(device)} />
        ))}
      </ul>
    </section>
  );
}

interface DeviceProps {
  readonly device: OwnDevice;
  readonly busy: boolean;
  readonly onSignOut: () => void;
}

function Device({ device, busy, onSignOut }: DeviceProps) {
  const name = device.name ?? "A device without a name";
  const [used, since] = [new Date(device.last_used_at), new Date(device.created_at)];
  return (
    <li className="device">
      <Icon name="device" size={22} />
      <span className="device-text">
        <bdi>{name}</bdi>
        <span className="muted" title={`Signed in ${fullTime(since)}`}>
          {device.current ? "This device" : `Last used ${briefly(used)}`}
        </span>
      </span>
      {device.current ? null : (
        <button type="button" className="small-button" disabled={busy} onClick={onSignOut}>
          Sign out<span className="visually-hidden"> {name}</span>
        </button>
      )}
    </li>
  );
}
