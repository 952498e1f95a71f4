# The address that mails come from. SES asks it once; a new account sends only to verified addresses until AWS lifts that.

resource "aws_ses_email_identity" "this" {
  count = var.mail_from == null ? 0 : 1

  email = var.mail_from
}
