"""Sign-in: passwords, second factors, passkeys, sign-in by OpenID Connect, and the sessions that follow from them."""
