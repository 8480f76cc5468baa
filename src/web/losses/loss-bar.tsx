/** Picture of a loss: a bar of all live records, divided into those that wait, those kept, and those not touched. */
import type { LossJson } from '../../client/client.ts';
import './losses.css';

const PARTS = [
  ['untouched', 'not touched'],
  ['held', 'wait to be removed'],
  ['kept', 'kept by an answer'],
] as const;

export function LossBar({ loss, withFigures = false }: { loss: LossJson; withFigures?: boolean }) {
  const { live, count: held, pinned: kept } = loss;
  const counts = { held, kept, untouched: Math.max(0, live - held - kept) };
  const shown = PARTS.filter(([name]) => counts[name] > 0);
  const words = PARTS.map(([name, what]) => `${counts[name].toLocaleString('en')} ${what}`).join(', ');
  return (
    <>
      <div
        className="loss-bar"
        role="img"
        aria-label={`Of ${live.toLocaleString('en')} live records: ${words}`}
      >
        {shown.map(([name]) => (
          <div key={name} className={`loss-part is-${name}`} style={{ flexGrow: counts[name] }} />
        ))}
      </div>
      {withFigures && (
        <ul className="loss-figures" aria-label="Figures">
          {PARTS.map(([name, what]) => (
            <li key={name}>
              <span className={`loss-key is-${name}`} aria-hidden="true" />
              <b className="figures">{counts[name].toLocaleString('en')}</b> {what}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
