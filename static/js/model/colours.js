// @ts-check
// Which of the eight colours of data something has. Pure functions.

export const COLOURS = 8;
const OWN = ["fc", "cnn", "cifar-net", "vgg", "resnet", "alexnet", "zfnet", "googlenet"];

/** The place of a model's colour, 0 to 7, by its name alone: another package that comes or goes changes none. */
export function colourPlace(model) {
  const own = OWN.indexOf(model);
  if (own >= 0) return own;
  return [...model].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 65_521, 7) % COLOURS;
}

/** Model to the place of its colour, of models side by side: who would have another's takes the next that is free. */
export function placesOf(models) {
  const places = new Map();
  const taken = new Set();
  const known = [...new Set(models)].sort(
    (a, b) => Number(OWN.indexOf(b) >= 0) - Number(OWN.indexOf(a) >= 0) || (a < b ? -1 : 1),
  ); // ours keep theirs
  for (const model of known) {
    let place = colourPlace(model);
    for (let tries = 0; taken.has(place) && tries < COLOURS; tries += 1) place = (place + 1) % COLOURS;
    taken.add(place);
    places.set(model, place);
  }
  return places;
}
