# source assume-role.sh ROLE_ARN: the commands after it run as that role, for an hour.
credentials=$(aws sts assume-role --role-arn "$1" --role-session-name "eventpulse-$STAGE" --query Credentials --output json)
AWS_ACCESS_KEY_ID=$(jq -r .AccessKeyId <<<"$credentials")
AWS_SECRET_ACCESS_KEY=$(jq -r .SecretAccessKey <<<"$credentials")
AWS_SESSION_TOKEN=$(jq -r .SessionToken <<<"$credentials")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
unset credentials
