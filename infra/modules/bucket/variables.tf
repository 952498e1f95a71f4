variable "name" {
  description = "Name of the bucket. Names are the world's: end it with the account's id."
  type        = string
}

variable "force_destroy" {
  description = "Whether destroy deletes the bucket with what is in it."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the objects, in the bucket's region."
  type        = string
}

variable "expire_days" {
  description = "Days after which objects are deleted. Null: never."
  type        = number
  default     = null
}

variable "transitions" {
  description = "Days after which objects move to a cheaper storage class, by that class."
  type        = map(number)
  default     = {}
}

variable "enable_policy" {
  description = "Whether the bucket has its policy. Off only on emulators that take no conditions."
  type        = bool
}

variable "policy_documents" {
  description = "JSON of policies whose statements are added to those of TLS."
  type        = list(string)
  default     = []
}
