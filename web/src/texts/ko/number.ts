/** A number as it is written in Korean. */
export const n = (value: number) => value.toLocaleString('ko');
