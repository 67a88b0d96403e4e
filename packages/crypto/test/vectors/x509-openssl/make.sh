#!/usr/bin/env bash
# How these files were made, with OpenSSL 3.0.19. The keys were thrown away. Run in an empty folder.
set -euo pipefail
ID="distid:1234567812345678"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out $1.key 2>/dev/null; }
for k in root org node long user operator; do key $k; done
cat > ca.cnf <<C
[ca]
default_ca=d
[d]
dir=.
new_certs_dir=.
database=index.txt
serial=serial
crlnumber=crlnumber
default_md=sm3
policy=p
unique_subject=no
default_crl_days=36500
[p]
countryName=optional
organizationName=optional
organizationalUnitName=optional
commonName=supplied
[req]
distinguished_name=dn
string_mask=utf8only
[dn]
[root]
subjectKeyIdentifier=hash
basicConstraints=critical,CA:TRUE,pathlen:1
keyUsage=critical,keyCertSign,cRLSign
[org]
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[leaf]
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
[crl]
authorityKeyIdentifier=keyid
C
touch index.txt; echo 1000 > serial; echo 07 > crlnumber
S="/C=CN/O=External Trust"
openssl req -x509 -new -sm3 -sigopt $ID -key root.key -config ca.cnf -extensions root -subj "$S/CN=External Root CA" -days 3650 -out root.crt
mk() { openssl req -new -sm3 -sigopt $ID -key $1.key -config ca.cnf -subj "$2" -out $1.csr; }
mk org "/C=CN/O=Partner Platform/OU=ca/CN=Partner Platform CA"
mk node "/C=CN/O=Partner Platform/OU=validator/CN=validator-1.partner"
mk long "/C=CN/O=Partner Platform/OU=observer/CN=too-long.partner"
mk user "/C=CN/O=Partner Platform/OU=enterprise/CN=former.partner"
mk operator "/C=CN/O=Partner Platform/OU=institution/CN=operator.partner"
CA="openssl ca -batch -notext -config ca.cnf -md sm3 -sigopt $ID -vfyopt $ID"
$CA -keyfile root.key -cert root.crt -extensions org -days 3000 -in org.csr -out org.crt
$CA -keyfile org.key -cert org.crt -extensions leaf -days 1095 -in node.csr -out node.crt
$CA -keyfile org.key -cert org.crt -extensions leaf -days 1461 -in long.csr -out long.crt
$CA -keyfile org.key -cert org.crt -extensions leaf -days 730 -in user.csr -out user.crt
openssl ca -batch -config ca.cnf -keyfile org.key -cert org.crt -revoke user.crt -crl_reason keyCompromise
openssl ca -batch -config ca.cnf -md sm3 -sigopt $ID -keyfile org.key -cert org.crt -crlexts crl -gencrl -out org.crl
