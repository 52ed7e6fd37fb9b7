export { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';
