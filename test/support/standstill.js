// @ts-check
// Loaded into a gateway by `node --require`: from SIGUSR2 until the next one its dispatcher stands still. It goes on taking in and storing,
// and answers everybody, but never finds a place for a delivery.
const { DeliverySlots } = require('../../dist/dispatcher/delivery/delivery-slots.js');

const places = Object.getOwnPropertyDescriptor(DeliverySlots.prototype, 'free');
let isStill = false;
process.on('SIGUSR2', () => (isStill = !isStill));
Object.defineProperty(DeliverySlots.prototype, 'free', {
  /** @this {object} */
  get() {
    return isStill ? 0 : places?.get?.call(this);
  },
});
