// Example images as a net sees them: in order above, shuffled below, drawn at whole multiples of their pixels.

import { get } from "./api.js";
import { query, segment } from "./model/address.js";
import { el } from "./dom.js";

const ORDERS = { original: "In order", shuffled: "Shuffled" };

/** Fill `element` with rows of images, their labels above unless `labels` is false; resolves to false where the data set can't show any yet. */
export async function showImages(element, { dataset, orders, seed, count = 8, size = 56, labels = true }) {
  let found;
  try {
    found = await get(`/datasets/${segment(dataset)}/images${query({ count, permutation_seed: seed })}`);
  } catch (error) {
    element.replaceChildren();
    return error.status === 404 ? false : Promise.reject(error);
  }
  const rows = orders.map((order) => {
    const pictures = cut(found[order], found.labels.length);
    return el(
      "div.strip-row",
      {},
      el("span.muted", {}, ORDERS[order]),
      ...found.labels.map((label, index) => picture(pictures[index], found.shape, size, `${label}, ${order}`)),
    );
  });
  const heads = el(
    "div.strip-row",
    {},
    el("span.muted", {}, "Label"),
    ...found.labels.map((label) => el("span.muted.label", { title: label }, label)),
  );
  element.style.setProperty("--size", `${size}px`);
  element.replaceChildren(...(labels ? [heads] : []), ...rows);
  return true;
}

/** Bytes of images in base64, cut into one array an image. */
export function cut(base64, count) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const each = bytes.length / count;
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * each, (at + 1) * each));
}

/** The whole multiple of an image's pixels that is nearest to a size. */
export const multiple = (pixels, wanted) => pixels * Math.max(1, Math.round(wanted / pixels));

/** One image, shape (channels, height, width); grey ones as ink on the page: dark on light, light on dark. */
export function picture(bytes, [channels, height, width], size, label) {
  const canvas = el("canvas", { width, height, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const area = height * width;
  for (let at = 0; at < area; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      image.data[4 * at + channel] = bytes[(channels === 1 ? 0 : channel) * area + at];
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  if (channels === 1) canvas.className = "grey";
  canvas.style.width = canvas.style.height = `${size}px`;
  return el("span.picture", {}, canvas);
}
