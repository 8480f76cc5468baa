/** The id of a record as a button that opens its content. */
import './record-opener.css';

export function RecordOpener({ id, isOpen, toggle }: { id: string; isOpen: boolean; toggle: () => void }) {
  return (
    <button type="button" className="record-opener" aria-expanded={isOpen} onClick={toggle}>
      <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
      <span className="as-written">{id}</span>
    </button>
  );
}
