/** Names the notice in acknowledgements: another text gets another name. */
export const CUSTODY_NOTICE_ID = "credlink/custody-notice/1";

/** What every holder of a certified key is told, and acknowledges. */
export const CUSTODY_NOTICE = `Custody of your key
1. The private key was made on your machine and is nowhere else. Whoever has it and its password signs as you.
2. Keep the key file and its password apart; let nobody else read either. Make a backup of the encrypted file.
3. Replace the key before the certificate ends (credlink ca renew, or the node's automatic renewal), at once when
   somebody leaves who had access to it. Signatures made before stay verifiable.
4. If it leaked or is lost: tell your organisation's CA at once. It revokes the certificate and certifies a new key.`;
