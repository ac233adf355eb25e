mod session;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    CertificateParams, CertifiedKey, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

use crate::wire::KeyError;
use crate::wire::key::{create_private, read_private};
pub(crate) use session::Session;

/// One side's private key and certificate, and the certificate of the other side: the only one that it
/// trusts (TLS 1.3, RFC 8446, both sides with certificates).
///
/// Unlike a [`Key`](crate::Key), which shows at the beginning that both sides may talk to each other, it keeps
/// what they say from being read and changed on its way. A server with TLS asks for the key all the same.
///
/// It needs the cargo feature `tls`. Without it there is none to be had: [`KeyError::NoTls`].
#[derive(Clone)]
pub struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

/// In the server's certificate, wherever it serves: what the client relies on is that certificate, not an address.
const SERVER: &str = "server.distributed";
const CLIENT: &str = "client.distributed";

impl Tls {
    /// Makes two new files of mode 0600, one for the server and one for all its clients: each has a private key, the
    /// certificate to it, and the certificate of the other side, in PEM. The certificates do not expire: who is not to be
    /// trusted any more is shut out by new files for all others.
    ///
    /// # Errors
    ///
    /// When one of them is there already, or can't be written.
    pub fn generate(server: impl AsRef<Path>, client: impl AsRef<Path>) -> Result<(), KeyError> {
        let (server, client) = (server.as_ref(), client.as_ref());
        let failed = |error: rcgen::Error| KeyError::Tls(server.to_owned(), error.to_string());
        let serving = certified(SERVER, ExtendedKeyUsagePurpose::ServerAuth).map_err(failed)?;
        let asking = certified(CLIENT, ExtendedKeyUsagePurpose::ClientAuth).map_err(failed)?;
        let text = |own: &CertifiedKey<KeyPair>, other: &CertifiedKey<KeyPair>| {
            [own.signing_key.serialize_pem(), own.cert.pem(), other.cert.pem()].concat()
        };
        create_private(server, &text(&serving, &asking))?;
        create_private(client, &text(&asking, &serving)).inspect_err(|_| {
            // Half a pair is of no use, and would be in the way of the next attempt.
            let _ = std::fs::remove_file(server);
        })
    }

    /// From a file that [`generate`](Tls::generate) made for this side.
    ///
    /// # Errors
    ///
    /// When it can't be read, is no such file, or when others than its owner may read it: mode 0600.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Tls, KeyError> {
        let path = path.as_ref();
        let text = read_private(path, 1 << 16)?;
        let failed = |reason: &dyn fmt::Display| KeyError::Tls(path.to_owned(), reason.to_string());
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| failed(&error))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        match <[_; 2]>::try_from(certificates.map_err(|error| failed(&error))?) {
            Ok([own, other]) => Tls::new(key, own, other).map_err(|error| failed(&error)),
            Err(found) => {
                Err(failed(&format_args!("it has {} certificates, not two", found.len())))
            }
        }
    }

    fn new(
        key: PrivateKeyDer<'static>,
        own: CertificateDer<'static>,
        other: CertificateDer<'static>,
    ) -> Result<Tls, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut trusted = rustls::RootCertStore::empty();
        trusted.add(other)?;
        let trusted = Arc::new(trusted);
        let clients =
            WebPkiClientVerifier::builder_with_provider(trusted.clone(), provider.clone())
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![own.clone()], key.clone_key())?;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(trusted)
            .with_client_auth_cert(vec![own], key)?;
        // Each connection begins anew: the server keeps nothing of those that ended.
        server.send_tls13_tickets = 0;
        client.resumption = Resumption::disabled();
        Ok(Tls { server: Arc::new(server), client: Arc::new(client) })
    }

    pub(crate) fn accept(&self) -> io::Result<Session> {
        let session = ServerConnection::new(self.server.clone()).map_err(io::Error::other)?;
        Ok(Session::new(session.into()))
    }

    pub(crate) fn connect(&self) -> io::Result<Session> {
        let name = ServerName::try_from(SERVER).map_err(io::Error::other)?;
        let session = ClientConnection::new(self.client.clone(), name).map_err(io::Error::other)?;
        Ok(Session::new(session.into()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// A certificate that vouches for itself and, being no authority's, for no other.
fn certified(
    name: &str,
    purpose: ExtendedKeyUsagePurpose,
) -> Result<CertifiedKey<KeyPair>, rcgen::Error> {
    let signing_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![purpose];
    Ok(CertifiedKey { cert: params.self_signed(&signing_key)?, signing_key })
}
